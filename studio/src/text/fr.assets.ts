import type { enAssets } from "./en.assets";

const amount = (value: number) => value.toLocaleString("fr", { maximumFractionDigits: 2 });

export const frAssets: typeof enAssets = {
  models: "Modèles",
  transformations: "Transformations",
  modelsHint:
    "Modèles entraînés, enregistrés depuis une exécution ou gardés par une conversion. Ils sont dans la palette sous Mes modèles.",
  transformationsHint:
    "Ce que des transformations ont appris des données. Elles sont dans la palette sous Mes transformations.",
  modelsNone:
    "Rien n’est encore enregistré. Convertissez un pipeline entraîné, ou enregistrez un résultat d’exécution.",
  modelMade: "Enregistré",
  modelUse: "Faites-le glisser depuis la palette d’un pipeline pour l’y utiliser.",
  modelLineage: "Provenance",
  modelPort: "Port",
  modelDigest: "Empreinte",

  compute: "Calcul",
  computeRuns: "Clusters de calcul",
  computeInference: "Clusters d’inférence",
  computeNew: "Nouveau",
  computeRunsHint: "Où les étapes des exécutions sont traitées.",
  computeInferenceHint: "Où tournent les réplicas des points de terminaison.",
  computeWorkers: "Processus",
  computeIdle: "Secondes d’inactivité avant réduction",
  computeMin: "Processus minimum",
  computeMax: "Processus maximum",
  computeMaxHint: "Autant que de cœurs si vide",
  computeAddress: "Adresse du cluster Ray",
  computeAddressHint: "hôte:port ; démarré au besoin si vide",
  computeKind: "Type",
  computeKinds: { local: "Processus de cette machine", ray: "Ray" },
  computeStates: { off: "Éteint", idle: "Inactif", busy: "Occupé" },
  computeState: "État",
  computeRunning: "Y tourne",
  computeWaiting: (steps) => `${String(steps)} en attente`,
  computeNothing: "rien",
  computeEdit: (name) => `Modifier ${name}`,
  computeDelete: (name) => `Supprimer ${name}`,
  computeRange: (now, least, most) => `${String(now)} maintenant, ${String(least)} à ${most}`,
  clusterCapacity: "Capacité",
  clusterReserved: "Réservé",
  clusterEndpoints: "Y est déployé",
  clusterResize: (name) => `Redimensionner ${name}`,
  clusterDetach: (name) => `Détacher ${name}`,
  clusterStates: { ready: "Prêt", unreachable: "Injoignable" },
  clusterAmount: (cpu, memory) => `${amount(cpu)} cœurs, ${amount(memory)} Go`,
  clusterDefault: "Il est toujours là.",
  clusterApply: "Appliquer",

  cleanup: "Nettoyage",
  cleanupSpace: "Espace disque",
  cleanupKinds: {
    table: "Tables",
    model: "Modèles",
    transform: "Transformations",
    "untrained-model": "Modèles non entraînés",
    files: "Lots de fichiers",
    steps: "Relevés d’étapes",
    quarantine: "Valeurs endommagées mises de côté",
    temporary: "Fichiers temporaires",
    logs: "Journaux des exécutions",
    packages: "Paquets des déploiements",
    database: "Base de données",
  },
  cleanupFree: (size) => `${size} libres sur le disque.`,
  cleanupCount: "Valeurs",
  cleanupSize: "Taille",
  cleanupKind: "Type",
  cleanupRetention: "Ce qui peut partir",
  cleanupHint:
    "Les jeux de données et modèles enregistrés, ce que contiennent les brouillons, et les exécutions dont viennent brouillons et points de terminaison restent toujours.",
  cleanupDays: "Exécutions et brouillons supprimés de plus de (jours)",
  cleanupSizeLimit: "Plus anciennes exécutions jusqu’à ce que le stock prenne au plus (Go)",
  cleanupNothing: "Rien ne partirait.",
  cleanupWould: (runs, drafts, values, size) =>
    `${String(runs)} exécutions, ${String(drafts)} brouillons supprimés et ${String(values)} valeurs partiraient : ${size}.`,
  cleanupKept: (runs) =>
    `${String(runs)} exécutions plus anciennes restent, car quelque chose en a besoin :`,
  cleanupNeeded: "Utile à",
  cleanupDo: "Nettoyer",
  cleanupDone: (size) => `${size} de nouveau libres.`,
  cleanupByHand: "Supprimer à la main",
  cleanupByHandHint: "Chaque liste montre ce qui dépend d’une chose avant qu’elle ne parte.",
  bytes: (value) => {
    const units = ["o", "ko", "Mo", "Go", "To"];
    const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
    return `${amount(value / 1000 ** power)} ${units[power] ?? ""}`;
  },
};
