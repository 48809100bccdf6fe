// Dark or light: the system's choice until the button makes another.

const names = { system: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const order = ["system", "light", "dark"];

function remembered() {
  try {
    return localStorage.getItem("theme") || "system";
  } catch {
    return "system";  // storage is turned off
  }
}

function remember(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}

// Wires `button`; `changed` is called whenever colours are other ones.
export function startTheme(button, changed) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let theme = order.includes(remembered()) ? remembered() : "system";
  const apply = () => {
    const systems = dark.matches ? "dark" : "light";
    document.documentElement.dataset.theme = theme === "system" ? systems : theme;
    button.textContent = names[theme];
    changed();
  };
  button.addEventListener("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    remember(theme);
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
}

// The value of a custom property of style.css: color("ink"), color("run-2").
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const runColors = 8;
export const runColor = (index) => `run-${index % runColors}`;
