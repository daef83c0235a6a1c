/** The only place that speaks HTTP. */

import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Component = Schemas["Component"];
export type Parameter = Schemas["Parameter"];
export type Problem = Schemas["Problem"];
export type Outline =
  | Schemas["TableOutline"]
  | Schemas["ModelOutline"]
  | Schemas["LearnerOutline"]
  | Schemas["TransformOutline"];
export type Column = Schemas["Column"];
export type Checked = Schemas["Checked"];
export type Run = Schemas["Run"];
export type RunSummary = Schemas["RunSummary"];
export type Step = Schemas["Step"];
export type StoredValue = Schemas["StoredValue"];
export type Plan = Schemas["Plan"];

/** What the server says when it refuses: a stable code, what happened, and what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly remedy: string,
    readonly fields: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Whether the server refused since something else uses it; asked by force, it does it all the same. */
export const isInUse = (error: unknown) => error instanceof ApiError && error.code === "in-use";

/** The server could not be reached at all. */
export class Unreachable extends Error {}

type Listener = () => void;
const expired = new Set<Listener>();

/** Calls back when the session has ended. Gives the function that stops it. */
export function onLoginNeeded(listener: Listener): () => void {
  expired.add(listener);
  return () => expired.delete(listener);
}

/** The refusal in an answer that is none of success. */
export async function failureOf(response: Response): Promise<ApiError> {
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as { error?: Partial<Schemas["ErrorReply"]["error"]> };
  const error = body.error ?? {};
  if (response.status === 401) for (const listener of expired) listener();
  return new ApiError(
    response.status,
    error.code ?? "unknown",
    error.happened ?? error.message ?? response.statusText,
    error.remedy ?? "",
    error.fields ?? {},
  );
}

const failures: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await failureOf(response);
    return undefined;
  },
  onError() {
    return new Unreachable();
  },
};

export const api = createClient<paths>({ baseUrl: "/" });
api.use(failures);

/**
 * The data of an answer that is known to be a success, since failures throw. The schema's type is
 * named by the caller, because the client's own loses the length of tuples.
 */
export async function got<T>(answer: Promise<{ data?: unknown }>): Promise<T> {
  const { data } = await answer;
  if (data === undefined) throw new Unreachable();
  return data as T;
}
