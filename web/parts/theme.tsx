import { useEffect, useState } from "preact/hooks";

type Theme = "system" | "light" | "dark";

const themes: readonly (readonly [Theme, string])[] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/**
 * System, light or dark. The stylesheet alone follows the buttons (`:has(:checked)`); the script only remembers the
 * choice for the next page, where `theme.js` restores it before the first paint.
 */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>("system");
  useEffect(() => {
    const stored = document.documentElement.dataset["theme"];
    if (stored === "light" || stored === "dark") setTheme(stored);
  }, []);

  const choose = (chosen: Theme): void => {
    setTheme(chosen);
    const root = document.documentElement;
    if (chosen === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = chosen;
    try {
      localStorage.setItem("theme", chosen);
    } catch (error) {
      console.debug("the choice holds for this page only", error);
    }
  };
  return (
    <fieldset class="theme">
      <legend class="unseen">Colours</legend>
      {themes.map(([value, word]) => (
        <label key={value}>
          <input
            type="radio"
            name="theme"
            id={`theme-${value}`}
            checked={theme === value}
            onChange={() => choose(value)}
          />
          {word}
        </label>
      ))}
    </fieldset>
  );
}
