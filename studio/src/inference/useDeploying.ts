import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { checkQuery } from "../api/checks";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { useDeployed } from "./deployed";
import { endpointNotice } from "./endpointNotice";
import { settled } from "./settled";

export const STEPS = ["save", "check", "compare", "package", "score", "start"] as const;
export type StepName = (typeof STEPS)[number];

/** How long the last step may be told after the failure. */
const LATE_MS = 1000;

export interface Deploying {
  readonly busy: boolean;
  /** The step that is under way or has failed; null before the beginning. */
  readonly step: StepName | null;
  readonly error: Error | null;
  begin(asked: Schemas["DeployAsked"]): void;
}

/** A deployment, step by step; those of the server are told as it takes them. */
export function useDeploying(draftId: string, onDone: () => void): Deploying {
  const text = useText();
  const cache = useQueryClient();
  const tell = useDeployed((state) => state.tell);
  const [step, setStep] = useState<StepName | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);

  const work = async (asked: Schemas["DeployAsked"]) => {
    setStep("save");
    await settled();
    setStep("check");
    const graph = useDraft.getState().history?.present.draft.graph;
    if (graph) {
      const { problems } = await cache.fetchQuery(checkQuery(graph));
      const first = problems.find((p) => p.severity === "error");
      if (first) throw new Problem(first);
    }
    setStep("compare");
    const source = new EventSource(`/api/endpoints/${encodeURIComponent(asked.name)}/deploying`);
    const toldAll = new Promise<void>((resolve) => {
      source.onmessage = (message: MessageEvent<string>) => {
        const told = JSON.parse(message.data) as { kind: string; step?: StepName };
        if (told.kind === "step" && told.step) setStep(told.step);
        else resolve();
      };
      source.onerror = () => {
        resolve();
      };
    });
    try {
      return await got<Schemas["DeployedEndpoint"]>(api.POST("/api/endpoints", { body: asked }));
    } catch (fault) {
      // Which step has failed may be told after that it has.
      await Promise.race([toldAll, new Promise((resolve) => setTimeout(resolve, LATE_MS))]);
      throw fault;
    } finally {
      source.close();
    }
  };

  return {
    busy,
    step,
    error,
    begin: (asked) => {
      setBusy(true);
      setError(null);
      work(asked)
        .then((made) => {
          const { name } = made.endpoint;
          tell(draftId, name, made.is_new);
          void cache.invalidateQueries({ queryKey: ["endpoints"] });
          void cache.invalidateQueries({ queryKey: ["clusters"] });
          void cache.invalidateQueries({ queryKey: ["endpoint-news"] });
          notifications.show(
            endpointNotice(
              name,
              made.is_new ? text.deploySucceeded(name) : text.deploySame(name),
              text.deployOpen,
            ),
          );
          onDone();
        })
        .catch((fault: unknown) => {
          setError(fault as Error);
        })
        .finally(() => {
          setBusy(false);
        });
    },
  };
}

class Problem extends Error {
  readonly remedy: string;
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(problem: Schemas["Problem"]) {
    super(problem.happened);
    this.remedy = problem.remedy;
    this.fields = { node: problem.node };
  }
}
