/** A stylesheet imported for its effect; Vite makes a file of its own from it. */
declare module "*.css";
