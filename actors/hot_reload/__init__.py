"""Hot reload: folders of this machine in the place of code, and what follows a change in them."""
