import type { ComponentChildren } from "preact";

/** Line drawings on a 24 x 24 grid; each is beside a word, so none has a name of its own. */
function Icon(props: { readonly children: ComponentChildren }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {props.children}
    </svg>
  );
}

export function LeafIcon() {
  const outline =
    "M12 22c-5 0-8-3.6-8-8.2C4 8.3 8 4.6 12 2c4 2.6 8 6.3 8 11.8C20 18.4 17 22 12 22Z";
  return (
    <Icon>
      <path d={outline} fill="currentColor" stroke="none" opacity=".16" />
      <path d={`M12 22V9.5M12 14.5 8.3 11M12 17.5l4.4-4${outline}`} />
    </Icon>
  );
}

export function MagnetIcon() {
  return (
    <Icon>
      <path d="M6 4v8a6 6 0 0 0 12 0V4h-4v8a2 2 0 0 1-4 0V4zM6 8h4M14 8h4" />
    </Icon>
  );
}

export function FileIcon() {
  return (
    <Icon>
      <path d="M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8zM14 3v5h5" />
    </Icon>
  );
}

export function DownloadIcon() {
  return (
    <Icon>
      <path d="M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 20h14" />
    </Icon>
  );
}

export function UploadIcon() {
  return (
    <Icon>
      <path d="M12 20V9m0 0 4.5 4.5M12 9l-4.5 4.5M5 4h14" />
    </Icon>
  );
}

export function PersonIcon() {
  return (
    <Icon>
      <path d="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20c1-3.5 4-5 7.5-5s6.5 1.5 7.5 5" />
    </Icon>
  );
}

export function PauseIcon() {
  return (
    <Icon>
      <path d="M9 5v14M15 5v14" />
    </Icon>
  );
}

export function PlayIcon() {
  return (
    <Icon>
      <path d="M8 5v14l11-7z" />
    </Icon>
  );
}

export function PlusIcon() {
  return (
    <Icon>
      <path d="M12 5v14M5 12h14" />
    </Icon>
  );
}

export function MoreIcon() {
  return (
    <Icon>
      <path stroke-width="3.4" d="M6 12h.01M12 12h.01M18 12h.01" />
    </Icon>
  );
}
