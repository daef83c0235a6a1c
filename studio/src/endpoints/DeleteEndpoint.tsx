import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Delete } from "../ui/Delete";
import { Refusal } from "../ui/Refusal";

/** Deletes an endpoint once that is confirmed: what it answers is told first. */
export function DeleteEndpoint({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { name } = endpoint;
  const remove = useMutation({
    mutationFn: () =>
      got<Schemas["Done"]>(api.DELETE("/api/endpoints/{name}", { params: { path: { name } } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["endpoints"] });
      void navigate("/endpoints");
    },
  });
  return (
    <Delete
      label={text.remove}
      question={text.endpointDelete(name)}
      hint={text.endpointDeleteHint(endpoint.deployments.length, endpoint.answered)}
      confirm={text.remove}
      cancel={text.cancel}
      busy={remove.isPending}
      refusal={
        remove.error && (
          <Refusal title={text.somethingWrong} error={remove.error} otherwise={text.offline} />
        )
      }
      onConfirm={() => {
        remove.mutate();
      }}
      onClose={remove.reset}
    />
  );
}
