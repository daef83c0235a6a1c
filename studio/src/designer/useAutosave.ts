/** Saves the draft a moment after each change; what fails is kept and tried again. */

import { useEffect } from "react";
import { ApiError } from "../api/client";
import { useDraft } from "../draft/store";
import { saveDraft } from "./queries";

const PAUSE_MS = 600;
const AGAIN_MS = 4000;

export function useAutosave(): void {
  const { id, revision, history, save } = useDraft();
  const draft = history?.present.draft ?? null;

  useEffect(() => {
    if (!id || !history || !draft || (save !== "unsaved" && save !== "offline")) return;
    const timer = setTimeout(
      () => {
        const { saving, savedAs, failed, stored } = useDraft.getState();
        saving();
        saveDraft(id, revision, history, stored?.graph.name ?? "").then(
          (saved) => {
            savedAs(saved, draft);
          },
          (error: unknown) => {
            failed(error instanceof ApiError && error.status === 409 ? "conflict" : "offline");
          },
        );
      },
      save === "offline" ? AGAIN_MS : PAUSE_MS,
    );
    return () => {
      clearTimeout(timer);
    };
  }, [id, revision, history, draft, save]);

  useEffect(() => {
    if (save === "saved") return;
    const warn = (event: BeforeUnloadEvent) => {
      event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    return () => {
      window.removeEventListener("beforeunload", warn);
    };
  }, [save]);
}
