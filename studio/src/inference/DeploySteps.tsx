import { Alert, Group, Loader, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { IconCheck, IconCircle, IconX } from "@tabler/icons-react";
import { useText } from "../text/useText";
import { type Deploying, STEPS } from "./useDeploying";
import classes from "./inference.module.css";

/** How far a deployment has come, and what stopped it. */
export function DeploySteps({ deploying }: { readonly deploying: Deploying }) {
  const text = useText();
  const { step, error } = deploying;
  const end = useRef<HTMLDivElement>(null);
  const begun = step !== null;
  // What one waits for, and what went wrong, is not to be searched for below.
  useEffect(() => {
    if (begun) end.current?.scrollIntoView({ block: "nearest" });
  }, [begun, error]);
  if (step === null) return null;
  const at = STEPS.indexOf(step);
  const fields = error && "fields" in error ? (error.fields as Record<string, unknown>) : {};
  const node = typeof fields.node === "string" ? fields.node : null;
  return (
    <>
      <ol
        className={classes.steps}
        aria-live="polite"
        style={{ listStyle: "none", padding: 0, margin: 0 }}
      >
        {STEPS.map((name, place) => {
          const state = place < at ? "done" : place > at ? "waiting" : error ? "failed" : "on";
          const words = {
            done: text.deployStepDone,
            waiting: text.deployStepWaiting,
            failed: text.deployStepFailed,
            on: text.deployStepOn,
          }[state];
          return (
            <Group key={name} component="li" gap="xs" wrap="nowrap">
              {state === "done" && <IconCheck size={15} color="#0ca678" aria-hidden />}
              {state === "failed" && <IconX size={15} color="#e03131" aria-hidden />}
              {state === "waiting" && <IconCircle size={15} color="#868e96" aria-hidden />}
              {state === "on" && <Loader size={14} />}
              <Text size="sm" {...(state === "waiting" ? { c: "dimmed" } : {})}>
                {text.deploySteps[name]}
              </Text>
              <span className="visually-hidden">{words}</span>
            </Group>
          );
        })}
      </ol>
      {error && (
        <Alert color="red" role="alert" title={text.deployFailed(text.deploySteps[step])}>
          <Text size="sm">
            {error.message || text.offline} {"remedy" in error ? String(error.remedy) : ""}
          </Text>
          {node && (
            <Text size="sm" fw={600}>
              {text.deployAtNode(node)}
            </Text>
          )}
        </Alert>
      )}
      <div ref={end} className={classes.above} />
    </>
  );
}
