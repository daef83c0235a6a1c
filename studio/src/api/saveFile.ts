/** Gives the user a file that the server makes, or says why it cannot. */

import { failureOf, Unreachable } from "./client";

export async function saveFile(address: string): Promise<void> {
  const answer = await fetch(address).catch(() => {
    throw new Unreachable();
  });
  if (!answer.ok) throw await failureOf(answer);
  const name = /filename="?([^";]+)"?/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name ?? "export";
  link.click();
  URL.revokeObjectURL(link.href);
}
