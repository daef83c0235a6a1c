import { create } from "zustand";
import { en, type Text } from "./en";
import { fr } from "./fr";

export const languages = { en: "English", fr: "Français" } as const;
export type Language = keyof typeof languages;

const texts: Record<Language, Text> = { en, fr };
const KEY = "modelwright-language";

function preferred(): Language {
  const chosen = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2);
  return chosen in texts ? (chosen as Language) : "en";
}

interface Chosen {
  readonly language: Language;
  choose(language: Language): void;
}

document.documentElement.lang = preferred();

export const useLanguage = create<Chosen>((set) => ({
  language: preferred(),
  choose: (language) => {
    localStorage.setItem(KEY, language);
    document.documentElement.lang = language;
    set({ language });
  },
}));

/** The texts in the chosen language. */
export function useText(): Text {
  return texts[useLanguage((chosen) => chosen.language)];
}
