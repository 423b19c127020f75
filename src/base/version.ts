/** The version of Everseed, here so that rooms without files know it; a test compares it with package.json. */
export const VERSION = "0.1.0";
