/** The bundler takes Python files as text. */
declare module '*.py' {
  const source: string;
  export default source;
}
