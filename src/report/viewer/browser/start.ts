/**
 * Starts the program of the viewer, which is compressed: a third of it. It is still an inline script, whose hash the
 * page's policy names.
 */
async function start(): Promise<void> {
  const packed = atob(document.getElementById('viewer-program')?.textContent ?? '');
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const script = document.createElement('script');
  script.textContent = await new Response(unpacked).text();
  document.body.append(script);
}

start().catch(() => {
  const summary = document.getElementById('viewer-summary');
  if (summary) summary.textContent = 'This browser is too old for this page: one of 2023 or later is needed.';
});
