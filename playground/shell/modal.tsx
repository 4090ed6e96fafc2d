import type { ComponentChildren } from "preact"
import { useLayoutEffect, useRef } from "preact/hooks"

interface ModalProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  readonly wide?: boolean
}

/** A dialogue over the page: Escape, its button and a click beside it close it, and the focus goes back to where it was. */
export const Modal = ({ title, onClose, children, wide = false }: ModalProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  // Before it is drawn, so that an Escape right after finds it open.
  useLayoutEffect(() => {
    const shown = dialog.current
    shown?.showModal()
    // While it is open nothing behind it takes the focus; closing gives it back.
    return () => shown?.close()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a key for it there is already, Escape
    <dialog
      ref={dialog}
      class={wide ? "modal wide" : "modal"}
      aria-labelledby="modal-title"
      onClose={() => {
        // The word of one that is gone may come when the next is open.
        if (dialog.current !== null) onClose()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close()
      }}
    >
      <div class="modal-body">
        <header>
          <h2 id="modal-title">{title}</h2>
          <button type="button" onClick={() => dialog.current?.close()}>
            close
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
