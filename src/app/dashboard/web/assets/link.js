// The server: its JSON, and its stream of news.

export async function get(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  const response = await fetch(query ? `${path}?${query}` : path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

// Follows the stream and finds back to it. Events: "hello" (everything must be read afresh), "news"
// and "reset" (with their data as `detail`), and "state" ("live", "connecting", "asleep").
export class Link extends EventTarget {
  constructor() {
    super();
    this.source = null;
    this.retry = 0;
    this.nap = 0;
    document.addEventListener("visibilitychange", () => this.visibilityChanged());
  }

  open() {
    clearTimeout(this.retry);
    this.source?.close();
    const source = new EventSource("events");
    this.source = source;
    source.onopen = () => this.tell("state", "live");
    source.onerror = () => {
      this.tell("state", "connecting");
      // The browser tries again by itself unless the server refused.
      if (source.readyState === EventSource.CLOSED) this.retry = setTimeout(() => this.open(), 1500);
    };
    for (const name of ["hello", "news", "reset"]) {
      source.addEventListener(name, (event) => this.tell(name, JSON.parse(event.data)));
    }
  }

  // Browsers allow six connections to a server: a page that nobody looks at gives its own back.
  visibilityChanged() {
    clearTimeout(this.nap);
    if (document.hidden) {
      this.nap = setTimeout(() => {
        clearTimeout(this.retry);
        this.source?.close();
        this.source = null;
        this.tell("state", "asleep");
      }, 60000);
    } else if (!this.source) {
      this.open();
    }
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
