// Browsers start no worker for a page that was opened as a file. There, the search runs in a frame of the page instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => this.#tell(this, data);
      inside.importScripts = (...urls) => Promise.all(urls.map((each) => this.#load(inside, each)));
      this.inside = inside;
      this.ready = this.#load(inside, url);
    }

    postMessage(data) {
      this.ready.then(() => this.#tell(this.inside, data));
    }

    terminate() {
      this.inside.frameElement?.remove();
    }

    #load(inside, url) {
      return new Promise((done, failed) => {
        const script = inside.document.createElement("script");
        script.src = new URL(url, location.href);
        script.onload = done;
        script.onerror = failed;
        inside.document.head.append(script);
      });
    }

    #tell(target, data) {
      const Message = (target === this ? window : this.inside).MessageEvent;
      const event = new Message("message", { data });
      target.dispatchEvent(event);
      if (target === this) this.onmessage?.(event);
    }
  };
}
