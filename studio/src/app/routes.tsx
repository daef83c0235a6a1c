import { lazy, Suspense } from "react";
import { createBrowserRouter } from "react-router";
import { Home } from "../home/Home";
import { Waiting } from "../ui/Waiting";
import { Login } from "./Login";
import { Shell } from "./Shell";

// The canvas and what it draws with are not needed for the first page.
const Designer = lazy(() => import("../designer/Designer").then((m) => ({ default: m.Designer })));

export const router = createBrowserRouter([
  { path: "/login", element: <Login /> },
  {
    path: "/",
    element: <Shell />,
    children: [
      { index: true, element: <Home /> },
      {
        path: "drafts/:draftId",
        element: (
          <Suspense fallback={<Waiting />}>
            <Designer />
          </Suspense>
        ),
      },
    ],
  },
]);
