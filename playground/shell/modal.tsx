import type { ComponentChildren } from "preact"
import { useEffect, useRef } from "preact/hooks"

interface ModalProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  readonly wide?: boolean
}

/** A dialogue over the page: Escape, its button and a click beside it close it, and the focus goes back to where it was. */
export const Modal = ({ title, onClose, children, wide = false }: ModalProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={wide ? "modal wide" : "modal"}
      aria-labelledby="modal-title"
      onClose={onClose}
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
