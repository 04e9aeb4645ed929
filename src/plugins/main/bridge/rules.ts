export const addMasquerade = (...a: unknown[]) => {};
export const guardPort = (...a: unknown[]) => {};
export const removeRules = (...a: unknown[]) => {};
export const collectRules = (...a: unknown[]) => {};
export const checkRules = (...a: unknown[]): string[] => [];
