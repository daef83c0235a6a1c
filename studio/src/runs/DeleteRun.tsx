import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api, got, isInUse, type Run, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Delete } from "../ui/Delete";
import { Refusal } from "../ui/Refusal";

/** Forgets a run that has ended, once it is said what comes from it. */
export function DeleteRun({ run }: { readonly run: Run }) {
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const remove = useMutation({
    mutationFn: (force: boolean) =>
      got<Schemas["Done"]>(
        api.DELETE("/api/runs/{run_id}", {
          params: { path: { run_id: run.id }, query: { force } },
        }),
      ),
    onSuccess: async () => {
      notifications.show({ message: text.draftDeleted(run.name) });
      await navigate("/runs");
      cache.removeQueries({ queryKey: ["run", run.id] });
      for (const key of ["runs", "run-pages", "space", "clean-up"]) {
        void cache.invalidateQueries({ queryKey: [key] });
      }
    },
  });
  const used = isInUse(remove.error);
  return (
    <Delete
      label={text.remove}
      question={text.runDelete(run.name)}
      hint={text.runDeleteHint}
      confirm={used ? text.dataDeleteAnyway : text.remove}
      cancel={text.cancel}
      busy={remove.isPending}
      refusal={
        remove.error && (
          <Refusal
            title={used ? text.dataInUse : text.somethingWrong}
            error={remove.error}
            otherwise={text.offline}
          />
        )
      }
      onConfirm={() => {
        remove.mutate(used);
      }}
      onClose={remove.reset}
    />
  );
}
