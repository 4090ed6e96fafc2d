import { CLASS_WORDS } from "../model/inspect/index.ts"
import { copyText } from "../shell/copy.ts"
import type { Workbench } from "./workbench.ts"

/** All that is known of the chosen field. */
export const FieldDetails = ({ bench }: { readonly bench: Workbench }) => {
  const field = bench.inspection.value.fields[bench.selected.value]
  const { name, text, rfc, registry, wireshark, number, binary, address, hex, offset, length, missing } = field
  const place = length === 0 ? "none" : length === 1 ? `${offset}` : `${offset}–${offset + length - 1}`
  return (
    <section class="pane details" aria-labelledby="details-title" data-class={field.class}>
      <h2 id="details-title">
        <span class="swatch" aria-hidden="true" /> {name}
      </h2>
      <dl>
        <dt>value</dt>
        <dd>{text}</dd>
        {number !== undefined && (
          <>
            <dt>number</dt>
            <dd>
              {number} · 0x{number.toString(16)}
              {binary !== undefined && binary.length <= 8 && <> · {binary} in binary</>}
            </dd>
          </>
        )}
        {address !== undefined && address.plain !== address.mapped && (
          <>
            <dt>address</dt>
            <dd>
              {address.plain} · {address.mapped}
            </dd>
          </>
        )}
        {registry !== undefined && (
          <>
            <dt>registry</dt>
            <dd>
              {registry.registry}, number {registry.number}
            </dd>
          </>
        )}
        <dt>octets</dt>
        <dd>
          {place}
          {length > 0 && length <= 16 && <>: {hex}</>}
          {missing > 0 && <>, {missing} more are missing</>}
        </dd>
        <dt>class</dt>
        <dd>{CLASS_WORDS[field.class]}</dd>
        <dt>defined in</dt>
        <dd>
          <a href={rfc.href} target="_blank" rel="noreferrer">
            {rfc.text}
          </a>
        </dd>
        {wireshark !== undefined && (
          <>
            <dt>Wireshark</dt>
            <dd>
              <code>{wireshark}</code>{" "}
              <button
                type="button"
                class="quiet"
                aria-label={`Copy ${wireshark}`}
                onClick={async () => {
                  bench.said.value = (await copyText(wireshark))
                    ? `${wireshark} copied`
                    : "the browser let nothing be copied"
                }}
              >
                copy
              </button>
            </dd>
          </>
        )}
      </dl>
    </section>
  )
}
