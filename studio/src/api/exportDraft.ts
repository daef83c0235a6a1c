/** Gives the user a draft as its YAML file. */

import { api, got, type Schemas } from "./client";

export async function exportDraft(draftId: string): Promise<void> {
  const file = await got<Schemas["PipelineFile"]>(
    api.GET("/api/drafts/{draft_id}/file", { params: { path: { draft_id: draftId } } }),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file.text], { type: "application/yaml" }));
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}
