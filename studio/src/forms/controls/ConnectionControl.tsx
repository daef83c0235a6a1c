import { Autocomplete } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "../../api/client";
import type { Json } from "../../draft/graph";

interface ConnectionControlProps {
  readonly label: string;
  readonly help: string;
  readonly error: string | null;
  readonly required: boolean;
  readonly value: Json;
  onSet(value: Json, typing?: boolean): void;
}

/** The name of a connection, one of those that the server knows or one that is still to be made. */
export function ConnectionControl(props: ConnectionControlProps) {
  const { label, help, error, required, value, onSet } = props;
  const { data } = useQuery({
    queryKey: ["connections"],
    queryFn: () => got<{ items: Schemas["Connection"][] }>(api.GET("/api/connections")),
  });
  return (
    <Autocomplete
      label={label}
      description={help}
      error={error}
      required={required}
      size="xs"
      data={(data?.items ?? []).map((connection) => connection.name)}
      value={typeof value === "string" ? value : ""}
      onChange={(given) => {
        onSet(given, true);
      }}
    />
  );
}
