/** Who is told that an output was clicked on. */

import { createContext } from "react";

export const PortClicks = createContext<(node: string, port: string) => void>(() => undefined);
