import { useState } from "react";
import { rename } from "../draft/edits";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import classes from "./Workbench.module.css";

/** The name of the pipeline; a click makes it a field. */
export function PipelineName({ name }: { readonly name: string }) {
  const text = useText();
  const edit = useDraft((state) => state.edit);
  const [wish, setWish] = useState<string | null>(null);
  const keep = () => {
    const cleaned = wish?.trim() ?? "";
    if (cleaned && cleaned !== name) edit(rename(cleaned), "rename");
    setWish(null);
  };
  return (
    <h1 className={classes.name}>
      {wish === null ? (
        <button
          type="button"
          title={text.rename}
          onClick={() => {
            setWish(name);
          }}
        >
          {name}
        </button>
      ) : (
        <input
          aria-label={text.rename}
          // The user just asked to write here.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          value={wish}
          onFocus={(event) => {
            event.currentTarget.select();
          }}
          onChange={(event) => {
            setWish(event.currentTarget.value);
          }}
          onBlur={keep}
          onKeyDown={(event) => {
            if (event.key === "Enter") keep();
            if (event.key === "Escape") setWish(null);
          }}
        />
      )}
    </h1>
  );
}
