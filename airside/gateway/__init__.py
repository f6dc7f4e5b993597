"""The front door: takes commands over HTTP and puts them onto the topic. It decides nothing."""
