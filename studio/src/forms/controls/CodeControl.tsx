import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { sql } from "@codemirror/lang-sql";
import {
  bracketMatching,
  defaultHighlightStyle,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from "@codemirror/language";
import { r } from "@codemirror/legacy-modes/mode/r";
import { Annotation, EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";

interface Props {
  readonly label: string;
  readonly language: string;
  readonly value: string;
  onChange(value: string): void;
}

const LANGUAGES: Readonly<
  Record<string, () => ReturnType<typeof python> | StreamLanguage<unknown>>
> = {
  python: () => python(),
  sql: () => sql(),
  r: () => StreamLanguage.define(r),
};

/** Marks what the draft put into the editor, which is no news to the draft. */
const fromDraft = Annotation.define<boolean>();

/** An editor with syntax colours. */
export function CodeControl({ label, language, value, onChange }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useRef(onChange);
  useEffect(() => {
    changed.current = onChange;
  });

  useEffect(() => {
    if (!host.current) return;
    const mode = LANGUAGES[language]?.();
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: "",
        extensions: [
          lineNumbers(),
          history(),
          bracketMatching(),
          indentUnit.of("    "),
          syntaxHighlighting(defaultHighlightStyle),
          keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
          ...(mode ? [mode] : []),
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.theme({
            "&": {
              fontSize: "12px",
              maxHeight: "320px",
              border: "1px solid #ced4da",
              borderRadius: "6px",
            },
            ".cm-scroller": { overflow: "auto", minHeight: "120px" },
          }),
          EditorView.updateListener.of((update) => {
            const typed = update.transactions.some((t) => t.docChanged && !t.annotation(fromDraft));
            if (typed) changed.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
    };
  }, [label, language]);

  useEffect(() => {
    const editor = view.current;
    // An undo of the draft changes the text from outside.
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({
        changes: { from: 0, to: editor.state.doc.length, insert: value },
        annotations: fromDraft.of(true),
      });
    }
  }, [value]);

  return <div ref={host} />;
}
