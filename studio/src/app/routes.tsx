import { lazy, type ReactNode, Suspense } from "react";
import { createBrowserRouter } from "react-router";
import { Home } from "../home/Home";
import { Waiting } from "../ui/Waiting";
import { Login } from "./Login";
import { Shell } from "./Shell";

const Datasets = lazy(() => import("../datasets/Datasets").then((m) => ({ default: m.Datasets })));
const Importing = lazy(() =>
  import("../datasets/Importing").then((m) => ({ default: m.Importing })),
);
const DatasetPage = lazy(() => import("./DatasetRoute").then((m) => ({ default: m.DatasetRoute })));

const Runs = lazy(() => import("../runs/Runs").then((m) => ({ default: m.Runs })));
const RunPage = lazy(() => import("./RunRoute").then((m) => ({ default: m.RunRoute })));
const Compare = lazy(() => import("../runs/Compare").then((m) => ({ default: m.Compare })));

const Endpoints = lazy(() =>
  import("../endpoints/Endpoints").then((m) => ({ default: m.Endpoints })),
);
const EndpointPage = lazy(() =>
  import("../endpoints/EndpointPage").then((m) => ({ default: m.EndpointPage })),
);

const Settings = lazy(() => import("../settings/Settings").then((m) => ({ default: m.Settings })));

function later(page: ReactNode) {
  return <Suspense fallback={<Waiting />}>{page}</Suspense>;
}

// The canvas and what it draws with are not needed for the first page.
const Designer = lazy(() => import("./DraftRoute").then((m) => ({ default: m.DraftRoute })));

const ConversionPage = lazy(() =>
  import("../inference/ConversionPage").then((m) => ({ default: m.ConversionPage })),
);
const UpdatePage = lazy(() =>
  import("../inference/UpdatePage").then((m) => ({ default: m.UpdatePage })),
);

const Models = lazy(() => import("../models/Models").then((m) => ({ default: m.Models })));
const ModelRoute = lazy(() => import("./ModelRoute").then((m) => ({ default: m.ModelRoute })));
const Compute = lazy(() => import("../compute/Compute").then((m) => ({ default: m.Compute })));
const CleanUp = lazy(() => import("../cleanup/CleanUp").then((m) => ({ default: m.CleanUp })));

export const router = createBrowserRouter([
  { path: "/login", element: <Login /> },
  {
    path: "/",
    element: <Shell />,
    children: [
      { index: true, element: <Home /> },
      {
        path: "drafts/:draftId",
        element: later(<Designer />),
      },
      { path: "drafts/:draftId/conversion", element: later(<ConversionPage />) },
      { path: "drafts/:draftId/update", element: later(<UpdatePage />) },
      { path: "runs", element: later(<Runs />) },
      { path: "runs/compare", element: later(<Compare />) },
      { path: "runs/:runId", element: later(<RunPage />) },
      { path: "endpoints", element: later(<Endpoints />) },
      { path: "endpoints/:name", element: later(<EndpointPage />) },
      { path: "settings", element: later(<Settings />) },
      { path: "models", element: later(<Models key="model" kind="model" />) },
      { path: "models/:name", element: later(<ModelRoute kind="model" />) },
      {
        path: "transformations",
        element: later(<Models key="transformation" kind="transformation" />),
      },
      { path: "transformations/:name", element: later(<ModelRoute kind="transformation" />) },
      { path: "compute", element: later(<Compute />) },
      { path: "clean-up", element: later(<CleanUp />) },
      { path: "data", element: later(<Datasets />) },
      { path: "data/import/:uploadId", element: later(<Importing />) },
      { path: "data/sets/:name", element: later(<DatasetPage />) },
    ],
  },
]);
