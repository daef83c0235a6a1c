import { create } from "zustand";

interface Deployed {
  /** The endpoint that a draft was deployed to last, until the notice is dismissed. */
  readonly byDraft: Readonly<
    Record<string, { readonly endpoint: string; readonly isNew: boolean }>
  >;
  tell(draft: string, endpoint: string, isNew: boolean): void;
  dismiss(draft: string): void;
}

export const useDeployed = create<Deployed>((set) => ({
  byDraft: {},
  tell: (draft, endpoint, isNew) => {
    set(({ byDraft }) => ({ byDraft: { ...byDraft, [draft]: { endpoint, isNew } } }));
  },
  dismiss: (draft) => {
    set(({ byDraft }) => {
      const others = Object.entries(byDraft).filter(([known]) => known !== draft);
      return { byDraft: Object.fromEntries(others) };
    });
  },
}));
