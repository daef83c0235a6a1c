import { useQuery } from "@tanstack/react-query";
import { datasetsQuery } from "../../api/queries";
import { NameControl, type NameControlProps } from "./NameControl";

/** The name of a data set, with @ and a number for one of its versions. */
export function DatasetControl(props: NameControlProps) {
  const { data } = useQuery(datasetsQuery(""));
  return <NameControl {...props} names={(data?.items ?? []).map((one) => one.name)} />;
}
