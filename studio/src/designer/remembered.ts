/** How a draft was run last in this browser, so that it need not be said again. */

export interface Remembered {
  readonly experiment?: string | null;
  readonly target?: string | null;
}

const key = (draftId: string) => `modelwright-run ${draftId}`;

export function remembered(draftId: string): Remembered {
  try {
    return JSON.parse(localStorage.getItem(key(draftId)) ?? "{}") as Remembered;
  } catch {
    return {};
  }
}

export function remember(draftId: string, how: Remembered): void {
  localStorage.setItem(key(draftId), JSON.stringify(how));
}
