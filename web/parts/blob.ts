// Files that were moved out of an event. What stands in their place names one by its content:
// `blob:sha256-<64 hex>?type=image/png&bytes=12345`.
import { api } from "../api.ts";
import { bytes } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { project } from "./state.ts";

export interface BlobReference {
  sha256: string;
  /** As the server recognised it; empty when it did not. */
  media_type: string;
  bytes: number | null;
}

const form = /^blob:sha256-([0-9a-f]{64})(?:\?([a-z0-9=&/.+%-]*))?$/i;

/** The file that a text stands for; null when it is text. */
export function blobIn(text: unknown): BlobReference | null {
  if (typeof text !== "string" || !text.startsWith("blob:sha256-")) return null;
  const [, sha256, query] = form.exec(text) ?? [];
  if (sha256 === undefined) return null;
  const about = new URLSearchParams(query ?? "");
  const size = Number(about.get("bytes") ?? Number.NaN);
  return {
    sha256,
    media_type: about.get("type") ?? "",
    bytes: Number.isFinite(size) ? size : null,
  };
}

/** An image as itself, sound and film with controls, everything else as a link. */
export function BlobView({ blob }: { blob: BlobReference }): View {
  const address = api.blobAddress(blob.sha256, { project_id: project.value });
  const size = blob.bytes === null ? "" : `, ${bytes(blob.bytes)}`;
  const words = `${blob.media_type || "file"}${size}`;
  const link = html`<a class="blob-link" href=${address} target="_blank" data-plain>${
    icon("download")
  }${words}</a>`;
  const [kind] = blob.media_type.split("/");
  if (kind === "image") {
    return html`
      <figure class="blob">
        <a href=${address} target="_blank"
          data-plain><img src=${address} alt=${`Image, ${words}`} loading="lazy" decoding="async" /></a>
        <figcaption class="dim">${words}</figcaption>
      </figure>
    `;
  }
  if (kind === "audio") {
    return html`
      <figure class="blob">
        <audio controls preload="none" src=${address}></audio>
        <figcaption>${link}</figcaption>
      </figure>
    `;
  }
  if (kind === "video") {
    return html`
      <figure class="blob">
        <video controls preload="none" src=${address}></video>
        <figcaption>${link}</figcaption>
      </figure>
    `;
  }
  return link;
}
