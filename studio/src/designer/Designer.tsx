import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { useParams } from "react-router";
import { draftQuery } from "../api/queries";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { Failure } from "../ui/Failure";
import { Waiting } from "../ui/Waiting";
import type { LookAt, ShowTries } from "./lookAt";
import { readDraft, recalled } from "./queries";
import { Workbench } from "./Workbench";

interface Props {
  readonly lookAt: LookAt;
  readonly showTries: ShowTries;
  /** What else can be done with the draft, beside its run buttons. */
  readonly tools?: ReactNode;
  /** What is told of it, above its canvas. */
  readonly notice?: ReactNode;
}

/** The page of a draft. */
export function Designer({ lookAt, showTries, tools, notice }: Props) {
  const { draftId = "" } = useParams();
  const text = useText();
  const { data, error } = useQuery(draftQuery(draftId));
  const open = useDraft((state) => state.open);
  const opened = useDraft((state) => state.id);

  useEffect(() => {
    if (!data) return;
    let left = false;
    const { revision, draft } = readDraft(data);
    void recalled(data.id, draft).then((history) => {
      if (!left) open(data.id, revision, draft, history);
    });
    return () => {
      left = true;
    };
  }, [data, open]);

  if (error) return <Failure title={text.somethingWrong} message={error.message || text.offline} />;
  if (!data || opened !== draftId) return <Waiting />;
  if (data.fault) {
    return <Failure title={data.name} message={data.fault.happened} remedy={data.fault.remedy} />;
  }
  return (
    <Workbench
      key={draftId}
      draftId={draftId}
      name={data.name}
      kind={data.kind}
      lookAt={lookAt}
      showTries={showTries}
      tools={tools}
      notice={notice}
    />
  );
}
