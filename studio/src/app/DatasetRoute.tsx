import { DatasetPage } from "../datasets/DatasetPage";
import { ProfileTable } from "../look/ProfileTable";
import { TableLook } from "../look/TableLook";

/** A data set, looked at with the views of stored tables. */
export function DatasetRoute() {
  return (
    <DatasetPage
      profile={(digest) => <ProfileTable key={digest} digest={digest} />}
      rows={(digest) => <TableLook key={digest} digest={digest} height="calc(100vh - 260px)" />}
    />
  );
}
