/** Keys as they are written in actions, compared with what was pressed. */

export interface Pressed {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

export function matches(keys: string, pressed: Pressed): boolean {
  const parts = keys.split("+");
  const key = parts.at(-1) ?? "";
  const asked = (name: string) => parts.slice(0, -1).includes(name);
  if (asked("Mod") !== (pressed.ctrlKey || pressed.metaKey)) return false;
  if (asked("Alt") !== pressed.altKey) return false;
  // A sign such as "?" needs Shift on some keyboards and not on others.
  const sign = key.length === 1 && !/[A-Z0-9]/.test(key);
  if (!sign && asked("Shift") !== pressed.shiftKey) return false;
  if (key === "Space") return pressed.key === " ";
  // With Alt a letter's key gives another character, but it is still the same key.
  if (/^[A-Z]$/.test(key) && pressed.altKey) return pressed.code === `Key${key}`;
  return pressed.key.toLowerCase() === key.toLowerCase();
}

/** The parts of keys by the names printed on the keyboard. */
export function spoken(keys: string, names: Readonly<Record<string, string>>): string[] {
  return keys.split("+").map((part) => names[part] ?? part);
}
