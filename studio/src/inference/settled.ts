import { useDraft } from "../draft/store";

/** Waits until the open draft is saved, for what the server is to do with it; gives its revision. */
export function settled(limit = 8000): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = () => useDraft.getState().save === "saved";
    if (done()) {
      resolve(useDraft.getState().revision);
      return;
    }
    const timer = setTimeout(() => {
      stop();
      reject(new Error());
    }, limit);
    const stop = useDraft.subscribe(() => {
      if (!done()) return;
      clearTimeout(timer);
      stop();
      resolve(useDraft.getState().revision);
    });
  });
}
