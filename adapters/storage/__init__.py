"""Where cleaned takes are kept: a folder, on this machine or shared, or an object store."""
