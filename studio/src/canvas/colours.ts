/** A colour for each category, the same in palette, canvas and outline. */

const COLOURS: Readonly<Record<string, string>> = {
  Assets: "#2f9e8f",
  "Data Input and Output": "#2f9e8f",
  "Data Transformation": "#3b7ddd",
  "Feature Selection": "#5c6bc0",
  "Statistical Functions": "#7a5fc0",
  "Machine Learning Algorithms": "#d9822b",
  "Anomaly Detection": "#c2703d",
  "Model Training": "#c2410c",
  "Model Scoring and Evaluation": "#b4317f",
  "Python Language": "#4a7c3f",
  "R Language": "#4a7c3f",
  "Text Analytics": "#0e7490",
  "Computer Vision": "#0e7490",
  Recommendation: "#0e7490",
  "Web Service": "#8a5a00",
};

export function categoryColour(category: string): string {
  return COLOURS[category.split(" / ")[0] ?? ""] ?? "#6b7280";
}
