/** Sends a file; XMLHttpRequest, because fetch tells nothing of its progress. */

import { api, ApiError, got, type Schemas, Unreachable } from "./client";

type Upload = Schemas["Upload"];

/**
 * Announces a file, so that one too large is refused at once, and sends it.
 * told: how much has been sent, from 0 to 1.
 */
export async function sendFile(
  file: File,
  told: (share: number) => void,
  stop: AbortSignal,
): Promise<Upload> {
  const upload = await got<Upload>(
    api.POST("/api/uploads", { body: { name: file.name, size: file.size } }),
  );
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/uploads/${upload.id}/content`);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded }) => {
      told(file.size > 0 ? loaded / file.size : 1);
    };
    request.onload = () => {
      if (request.status < 300) resolve(request.response as Upload);
      else reject(refusalOf(request));
    };
    request.onerror = () => {
      reject(new Unreachable());
    };
    request.onabort = () => {
      void api.DELETE("/api/uploads/{upload_id}", { params: { path: { upload_id: upload.id } } });
      reject(new DOMException("stopped", "AbortError"));
    };
    stop.addEventListener("abort", () => {
      request.abort();
    });
    request.send(file);
  });
}

function refusalOf(request: XMLHttpRequest): ApiError {
  const error = (request.response as Partial<Schemas["ErrorReply"]> | null)?.error;
  return new ApiError(
    request.status,
    error?.code ?? "unknown",
    error?.happened ?? request.statusText,
    error?.remedy ?? "",
    error?.fields ?? {},
  );
}
