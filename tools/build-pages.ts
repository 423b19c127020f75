console.log("pages: nothing to build yet");
