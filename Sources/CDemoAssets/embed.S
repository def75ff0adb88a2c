// The build does not see when only an embedded file changes; tools/train-demo touches this one.

.macro embed name, file
  .global martlet_demo_\name\()_start
  .global martlet_demo_\name\()_end
  .balign 64
martlet_demo_\name\()_start:
  .incbin "\file"
martlet_demo_\name\()_end:
  .byte 0
.endm

  .section .rodata
  embed model, "demo.onnx"
  embed digits, "digits.tar"
  embed about, "demo.json"

  .section .note.GNU-stack,"",%progbits
