"""What is said: messages, their wire format, and every version ever written."""
