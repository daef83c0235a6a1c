import type { enApp } from "./en.app";

export const frApp: typeof enApp = {
  goTo: "Aller n’importe où",
  goToHint: "Aller n’importe où, ou lancer une commande",
  goToShort: "Aller à…",
  commandKind: "Commande",
  pageKind: "Page",
  pipelineKind: "Pipeline",
  dataKind: "Données",
  endpointKind: "Point d’accès",
  runKind: "Exécution",

  notices: "Notifications",
  noticesNew: (count) => (count === 1 ? "1 nouvelle" : `${String(count)} nouvelles`),
  noticesNone: "Rien ne s’est encore passé.",
  noticesClear: "Effacer",
  noticeRun: (name, state) => `Exécution ${name} : ${state}`,
  noticeEndpoint: (name, state) => `Point d’accès ${name} : ${state}`,

  settings: "Réglages",
  appearance: "Apparence",
  themeLabel: "Thème",
  themes: { light: "Clair", dark: "Sombre", auto: "Comme le système" },
  tokens: "Jetons pour programmes",
  tokensHint:
    "Un programme envoie son jeton ainsi : « Authorization: Bearer JETON ». Il n’est montré qu’une fois.",
  tokenMade: "Copiez le jeton maintenant ; il ne sera plus montré.",
  tokenName: "Usage",
  tokenDays: "Jours",
  tokenForever: "Jamais",
  tokenCreate: "Créer un jeton",
  tokenUsed: "Dernier usage",
  tokenUnused: "Jamais",
  tokenEnds: "Fin",
  tokenRevoke: "Révoquer",
};
