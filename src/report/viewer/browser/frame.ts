/**
 * The program of a frame that loads what one agent answers: its answers are scripts, and run here, where nothing else is.
 * The page asks by messages, and gets texts.
 */
interface LoadRequest {
  id: string;
  /** With the name of the function that the answer calls. */
  address: string;
  charset: string;
}

addEventListener('message', ({ source, data }: MessageEvent<LoadRequest>) => {
  if (source !== parent) return;
  const { id, address, charset } = data;
  const answer = (text?: string) => parent.postMessage({ id, text }, '*');
  const functions = globalThis as unknown as Record<string, unknown>;
  const script = document.createElement('script');
  let taken: string | undefined;
  functions[id] = (value: unknown) => {
    taken = JSON.stringify(value);
  };
  const end = () => {
    delete functions[id];
    script.remove();
    answer(taken);
  };
  script.charset = charset;
  script.onload = end;
  script.onerror = end;
  script.src = address;
  document.head.append(script);
});
parent.postMessage({ ready: true }, '*');
