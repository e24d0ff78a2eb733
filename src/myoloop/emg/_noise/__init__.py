"""What a recording holds beside EMG: noise, mains, artefacts, bad channels."""
