"""Adapter -> files for other programs: peft and hub layout, merged safetensors, GGUF with a Modelfile."""
