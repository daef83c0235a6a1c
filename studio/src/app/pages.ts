/** The pages of the navigation, in its order. */

import { useText } from "../text/useText";

export interface Page {
  readonly path: string;
  readonly title: string;
  /** Other places that belong to it. */
  readonly also?: string;
}

export function usePages(): readonly Page[] {
  const text = useText();
  return [
    { path: "/", title: text.designer, also: "/drafts" },
    { path: "/data", title: text.data },
    { path: "/runs", title: text.runs },
    { path: "/models", title: text.models },
    { path: "/transformations", title: text.transformations },
    { path: "/endpoints", title: text.endpoints },
    { path: "/compute", title: text.compute },
    { path: "/clean-up", title: text.cleanup },
    { path: "/settings", title: text.settings },
  ];
}
