import type { ComponentChildren } from "preact";

/** For people who never heard of BitTorrent: what it is, how to download, which program to use. */
export function HelpView() {
  return (
    <div class="stack">
      <div class="stack tight">
        <h1>New here?</h1>
        <p class="lead">
          You can take everything on this site with nothing but your browser. For big things a
          BitTorrent program is the better way. Here is how both work.
        </p>
      </div>
      <div class="half even">
        <InTheBrowser />
        <WithAProgram />
      </div>
      <Programs />
      <div class="two">
        <Words />
        <aside class="stack" aria-label="Who sees what, and what is allowed">
          <section class="card stack close">
            <h2>Who sees what?</h2>
            <p class="small">
              In the browser only this hub sees your internet address, as every web site does.
            </p>
            <p class="small">
              With a program, everybody who takes or gives the same thing sees your internet address
              and the name of your program.
            </p>
          </section>
          <section class="card stack close">
            <h2>Is it allowed?</h2>
            <p class="small">
              BitTorrent is a way of sending things, as e-mail is. What counts is what is sent. The
              person who runs this hub is responsible for what it lists: tell them when something
              should not be here.
            </p>
          </section>
        </aside>
      </div>
      <Troubles />
    </div>
  );
}

function InTheBrowser() {
  return (
    <section class="card stack close" aria-labelledby="browser-title">
      <h2 id="browser-title">In the browser</h2>
      <Drawing low says="The hub sends the files to you">
        <Box x={10} y={58} width={104} text="This hub" />
        <Arrow path="M122 75H206" tip={[206, 75, 0]} />
        <Box x={216} y={58} width={74} text="You" you />
      </Drawing>
      <ol class="nth">
        <Step>
          Open what you want in the <a href="/">catalogue</a>.
        </Step>
        <Step>
          Press <strong>Download</strong>. Several files come as one .zip file.
        </Step>
        <Step>That is all. There is nothing to install and nothing to sign up for.</Step>
      </ol>
    </section>
  );
}

function WithAProgram() {
  return (
    <section class="card stack close" aria-labelledby="with-program-title">
      <h2 id="with-program-title">With a program</h2>
      <Drawing says="The hub and other people send parts of the files to you, and you pass parts on">
        <Box x={10} y={10} width={104} text="This hub" />
        <Box x={10} y={58} width={104} text="Somebody" />
        <Box x={10} y={106} width={104} text="Somebody" />
        <Arrow path="M122 27 206 65" tip={[206, 65, 24]} />
        <Arrow path="M122 75H206" tip={[206, 75, 0]} />
        <Arrow path="M208 86 124 121" tip={[124, 121, 157]} dashed />
        <Box x={216} y={58} width={74} text="You" you />
      </Drawing>
      <ol class="nth">
        <Step>Install a program once, from the list below.</Step>
        <Step>
          Press <strong>Open in your program</strong> on the page of what you want.
        </Step>
        <Step>
          The program takes parts from everybody who has them, checks each part, and passes it on to
          others.
        </Step>
      </ol>
    </section>
  );
}

function Step(props: { readonly children: ComponentChildren }) {
  return (
    <li>
      <div>{props.children}</div>
    </li>
  );
}

function Drawing(props: {
  readonly says: string;
  /** Nothing is drawn above and below its middle. */
  readonly low?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <svg
      class={props.low ? "drawing low" : "drawing"}
      viewBox="0 0 300 150"
      role="img"
      aria-label={props.says}
    >
      {props.children}
    </svg>
  );
}

function Box(props: {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly text: string;
  readonly you?: boolean;
}) {
  const { x, y, width, text, you } = props;
  return (
    <>
      <rect class={you ? "you" : undefined} x={x} y={y} width={width} height={34} rx={8} />
      <text x={x + width / 2} y={y + 22} text-anchor="middle">
        {text}
      </text>
    </>
  );
}

/** A line and its head, drawn by hand, because a marker does not inherit the line's colour. */
function Arrow(props: {
  readonly path: string;
  /** The point of the head, and its direction in degrees clockwise from the right. */
  readonly tip: readonly [x: number, y: number, degrees: number];
  readonly dashed?: boolean;
}) {
  const [x, y, degrees] = props.tip;
  return (
    <>
      <path class="line" d={props.path} stroke-dasharray={props.dashed ? "5 5" : undefined} />
      <path
        class="head"
        d="M-8 -6 4 0 -8 6z"
        transform={`translate(${x} ${y}) rotate(${degrees})`}
      />
    </>
  );
}

const qBittorrent = <Program href="https://www.qbittorrent.org/">qBittorrent</Program>;
const transmission = <Program href="https://transmissionbt.com/">Transmission</Program>;

const programs: readonly (readonly [
  system: string,
  take: ComponentChildren,
  goodToKnow: string,
])[] = [
  ["Windows", qBittorrent, "Say yes when it asks to open magnet links."],
  ["macOS", transmission, "Small and quiet."],
  [
    "Linux",
    <>
      {transmission} or {qBittorrent}
    </>,
    "In the software centre of every distribution.",
  ],
  [
    "Android",
    <Program key="android" href="https://f-droid.org/packages/org.proninyaroslav.libretorrent/">
      LibreTorrent
    </Program>,
    "Set it to Wi-Fi only if your plan is small.",
  ],
  ["iPhone, iPad", "the browser", "Apple’s store has no such program; Download works there."],
  [
    "A terminal",
    <code key="terminal">everseed get LINK</code>,
    "aria2c does it as well, when the kind is v1.",
  ],
];

function Programs() {
  return (
    <section class="panel" aria-labelledby="programs-title">
      <header>
        <h2 id="programs-title">Which program?</h2>
        <p class="small">
          All are free and without advertising. Take them from their own site or your system’s
          store.
        </p>
      </header>
      {/* The roles stand there because a phone shows the rows as blocks, which takes them away. */}
      <table class="work" role="table" aria-labelledby="programs-title">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              You have
            </th>
            <th role="columnheader" scope="col">
              Take
            </th>
            <th role="columnheader" scope="col">
              Good to know
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {programs.map(([system, take, goodToKnow]) => (
            <tr key={system} role="row">
              <th role="rowheader" scope="row">
                {system}
              </th>
              <td role="cell">{take}</td>
              <td role="cell">{goodToKnow}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Program(props: { readonly href: string; readonly children: ComponentChildren }) {
  return (
    <a href={props.href} rel="noopener noreferrer external">
      {props.children}
    </a>
  );
}

const words: readonly (readonly [word: string, meaning: string])[] = [
  [
    "Torrent",
    "A small file that says which files belong together and how to recognise each part of them. It holds none of the files.",
  ],
  [
    "Magnet link",
    "The same as a link: a fingerprint of the files. Your program finds the rest by it.",
  ],
  [
    "Seed",
    "Somebody who has all of it and gives it to others. The more seeds, the faster it goes.",
  ],
  ["Peer", "Anybody who takes or gives at the moment, you too."],
  ["Piece", "A part of the files. Your program checks each piece before it passes it on."],
  ["Tracker", "Introduces peers to each other. It sees none of the files."],
  [
    "Hub",
    "This site. It has what it lists, checks it again and again, and never stops giving it: it is the seed that stays.",
  ],
];

function Words() {
  return (
    <section class="card stack" aria-labelledby="words-title">
      <h2 id="words-title">Words you will meet</h2>
      <dl class="terms">
        {words.map(([word, meaning]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Troubles() {
  return (
    <section class="card stack close" aria-labelledby="troubles-title">
      <h2 id="troubles-title">It does not work?</h2>
      <details open>
        <summary>The download broke off</summary>
        <p class="small">
          Go on with it in the browser’s list of downloads: it goes on where it stopped. For very
          big things a program is better, since it also checks what came and goes on by itself.
        </p>
      </details>
      <details>
        <summary>Nothing happens when I open a magnet link</summary>
        <p class="small">
          No program is set for such links yet. Install one, or press Save the .torrent and open
          that file with the program.
        </p>
      </details>
      <details>
        <summary>It is slow</summary>
        <p class="small">
          With few seeds this hub is the only source, and it shares its line among all who ask.
          Leave what you have taken open in your program for a while: that helps the next one.
        </p>
      </details>
      <details>
        <summary>My program says that it cannot read the torrent</summary>
        <p class="small">
          Some torrents are of a newer kind, which older programs do not know; the page says so
          under Details. Take a newer version of the program, or press Download.
        </p>
      </details>
    </section>
  );
}
