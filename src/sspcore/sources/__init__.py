"""Where changes come from: files, pipes and, in packages of their own, databases and brokers.
A source translates what it reads into changes; it refuses to judge them and to know who receives them."""
