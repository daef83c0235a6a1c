/** What can be done on the page that is open; pages put it here, "go to anything" reads it. */

import { create } from "zustand";

export interface Command {
  readonly id: string;
  readonly title: string;
  /** Its keys, as they are spoken. */
  readonly keys?: string;
  act(): void;
}

interface Offered {
  readonly commands: readonly Command[];
  offer(commands: readonly Command[]): void;
}

export const useCommands = create<Offered>((set) => ({
  commands: [],
  offer: (commands) => {
    set({ commands });
  },
}));
