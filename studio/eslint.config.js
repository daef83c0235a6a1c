import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// Directions of knowledge: app → features → canvas | forms → draft → api (types only).
// `ui` and `text` may be used by all and know none of them; features never know each other.
const features = ["home", "designer", "datasets", "look", "runs", "models", "transformations", "inference", "endpoints", "compute", "cleanup", "settings"];
const forbidden = {
  api: ["app", "draft", "canvas", "forms", "ui", ...features],
  draft: ["app", "canvas", "forms", "ui", "text", ...features],
  canvas: ["app", "forms", ...features],
  forms: ["app", "canvas", ...features],
  ui: ["app", "api", "draft", "canvas", "forms", "text", ...features],
  text: ["app", "api", "draft", "canvas", "forms", "ui", ...features],
  ...Object.fromEntries(features.map((one) => [one, ["app", ...features.filter((other) => other !== one)]])),
};
const directions = Object.entries(forbidden).map(([folder, others]) => ({
  files: [`src/${folder}/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${others.join("|")})(/|$)`,
            message: `${folder}/ must not know this folder; app joins features.`,
          },
          { regex: "/index$", message: "No barrel files: import from the file itself." },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["node_modules", "src/api/schema.d.ts", "*.config.js"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  jsxA11y.flatConfigs.recommended,
  {
    plugins: { "react-hooks": reactHooks },
    rules: { ...reactHooks.configs.recommended.rules,
      // The compiler is not used.
      "react-hooks/incompatible-library": "off",
      "no-console": "error",
    },
  },
  ...directions,
);
