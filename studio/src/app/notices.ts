/** What happened while one looked elsewhere: kept in this browser, the latest first. */

import { create } from "zustand";

export interface Notice {
  readonly id: string;
  readonly at: string;
  readonly title: string;
  readonly tone: "good" | "bad" | "plain";
  readonly to: string | null;
  readonly read: boolean;
}

const KEY = "modelwright-notices";
const MOST = 50;

interface Notices {
  readonly notices: readonly Notice[];
  tell(notice: Omit<Notice, "read">): void;
  readAll(): void;
  clear(): void;
}

function stored(): readonly Notice[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]") as readonly Notice[];
  } catch {
    return [];
  }
}

function kept(notices: readonly Notice[]): { notices: readonly Notice[] } {
  localStorage.setItem(KEY, JSON.stringify(notices));
  return { notices };
}

export const useNotices = create<Notices>((set) => ({
  notices: stored(),
  tell: (notice) => {
    set(({ notices }) =>
      notices.some((known) => known.id === notice.id)
        ? {}
        : kept([{ ...notice, read: false }, ...notices].slice(0, MOST)),
    );
  },
  readAll: () => {
    set(({ notices }) => kept(notices.map((notice) => ({ ...notice, read: true }))));
  },
  clear: () => {
    set(kept([]));
  },
}));
