import { useQuery } from "@tanstack/react-query";
import { api, got, type Schemas } from "../../api/client";
import { NameControl, type NameControlProps } from "./NameControl";

/** The name of a connection, one of those that the server knows or one that is still to be made. */
export function ConnectionControl(props: NameControlProps) {
  const { data } = useQuery({
    queryKey: ["connections"],
    queryFn: () => got<{ items: Schemas["Connection"][] }>(api.GET("/api/connections")),
  });
  return <NameControl {...props} names={(data?.items ?? []).map((one) => one.name)} />;
}
