/** A style sheet or a script as text: see scripts/build/inline.mjs. */
declare module '*?inline' {
  export const text: string;
  /** `sha256-…`, as a Content-Security-Policy has it. */
  export const hash: string;
}
